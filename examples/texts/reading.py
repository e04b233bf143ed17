"""What a word is."""

import re


def words_of(text):
    return re.findall(r"[a-z']+", text.lower())
