"""The demo shop: Lindehuis, two years of it, with logins to look around.

story.py      what it sells, where it asks, who its customers are
words.py      what people write
life.py       who bought what
talk.py       who was asked and what they answered
texts.py      the texts with which it asks for permission
asked.py      who permitted what, and took it back
permission.py writing that
dose.py       who was contacted how often, and what was refused
shop.py       writing all of that into an empty database
progress.py   saying how far that is
"""

NAME = "Lindehuis"
# Printed and shown on the login page. Demo logins do not work in production (accounts.py).
PASSWORD = "lindehuis-demo"  # noqa: S105
