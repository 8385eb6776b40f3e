import DefaultTheme from 'vitepress/theme'
import './pave.css'

export default DefaultTheme
