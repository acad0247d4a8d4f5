"""The console: the team's own pages, behind a login. Server-rendered, with htmx for what changes in place."""
