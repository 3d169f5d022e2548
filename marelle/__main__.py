from marelle.config.admin import main

main()
