"""The conversation, written once for every channel as aiogram routers."""
