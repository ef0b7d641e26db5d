"""The slow model that golden cases are judged by."""
