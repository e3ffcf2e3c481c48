"""Tests that hold on Hythe and on Azure alike."""
