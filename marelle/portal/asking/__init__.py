"""What a family can ask for on its Démarches page. `page.asking` composes it; `providers` lists whoever offers
something to ask, or something begun that can be resumed."""
