"""A child's pages: `page` composes the first one; `forms` are what a home may say of its child."""
