"""Code that is not what stored calls touched: found, shown, decided; at commits and in programs."""
