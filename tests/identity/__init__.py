"""Tests who may ask and who answers: principals, tokens, certificates, and the files that hold them."""
