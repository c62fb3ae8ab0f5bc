"""What lets files written for other programs run here."""
