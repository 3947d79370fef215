"""What is written beside a picture so that it says by itself whose it is, which side, how deep and when."""
