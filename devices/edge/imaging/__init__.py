"""The imaging process: capture, encode once for all viewers, keep the last ten seconds lossless."""
