"""The pages: server-rendered, live, and without a build step."""
