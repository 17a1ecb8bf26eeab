"""What a family offers and a method changes: layers, vocabularies, sizes, memory."""
