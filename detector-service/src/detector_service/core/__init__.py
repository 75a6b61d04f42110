"""What the detector decides: values and the time in, findings and rulings out."""
