import { createTheme } from '@mantine/core'

/** Colours that mean something are custom properties in `tokens.css`; this is the rest. */
export const theme = createTheme({
  primaryColor: 'indigo',
  // Light enough to be told from text, dark enough to be read on every surface.
  primaryShade: 8,
  colors: {
    dark: [
      '#d3d8e0',
      '#b8bec8',
      '#8b94a1',
      '#6b7482',
      '#3d4450',
      '#2f343d',
      '#262a32',
      '#1b1e24',
      '#14161a',
      '#0f1114',
    ],
  },
  defaultRadius: 'md',
  respectReducedMotion: true,
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  headings: { fontWeight: '620' },
  // By name: to import each would put all of them into the first load.
  components: {
    Badge: {
      defaultProps: { variant: 'light', radius: 'sm', tt: 'none', fw: 550, miw: 'max-content' },
      styles: { root: { verticalAlign: 'middle' } },
    },
    Button: { defaultProps: { fw: 550 } },
    Modal: { defaultProps: { closeButtonProps: { 'aria-label': 'Close' } } },
    // A command that is longer than a phone is wide goes on in the next line.
    Code: { styles: { root: { whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' } } },
    Table: { defaultProps: { verticalSpacing: 6, horizontalSpacing: 'sm' } },
  },
})
