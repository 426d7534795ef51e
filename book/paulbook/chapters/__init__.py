"""What each chapter draws, and the small computations behind its pictures."""
