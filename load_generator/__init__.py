"""Load tests of a deployment or a mock: users that chat, for Locust."""
