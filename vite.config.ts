import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** The console. `vite` alone serves it with hot reloading, on top of a Pave that runs on this machine. */
export default defineConfig({
  root: 'src/console',
  plugins: [react()],
  build: {
    outDir: '../../dist/console',
    emptyOutDir: true,
    // The first ones with light-dark(), from which the colours of both schemes are made.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800,
  },
  server: { proxy: { '^/api/': 'http://127.0.0.1:7400', '/console/session': 'http://127.0.0.1:7400' } },
})
