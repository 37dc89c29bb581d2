"""What owners say of their images: tags, titles, descriptions and ratings, and what files say before them."""
