"""What every room uses: errors, files, units, shapes, suggestions."""
