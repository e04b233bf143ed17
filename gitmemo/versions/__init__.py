"""Looking at versions: lists, texts, histories, who introduced what. Nothing is recorded."""
