"""The service that speaks the language of Azure Resource Manager."""
