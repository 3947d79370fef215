"""The robot-side agent: link (network), imaging (pictures), safety (the arm), and their parent."""
