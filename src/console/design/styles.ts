// Every component of the library: its styles compress to 25 KB, and a list of those in use is forgotten by the next page.
import '@mantine/core/styles.css'
import './tokens.css'
