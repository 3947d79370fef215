"""Robot arms and image sources behind two small base classes."""
