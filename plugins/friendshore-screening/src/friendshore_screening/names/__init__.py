"""Names of companies compared: read the same way, scored word by word, every answer with what agreed and what did not."""
