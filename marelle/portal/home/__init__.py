"""A family's home page. `page.home` composes it; `providers.PROVIDERS` lists whoever has something for "À faire"."""
