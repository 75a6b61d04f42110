"""What Garita's services share: `core` decides, the modules beside it talk."""
