"""Sample data: a made-up therapy practice, and the job behind ``./dev demo``.

Nothing here is loaded with the addon; ``main_job`` imports what it needs when somebody asks for it.
"""
