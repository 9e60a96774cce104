"""The rules: what people and moderators can do. Consumers, views and the admin call them."""
