import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { exportedPage } from './exported-page.config.ts'

/**
 * Assets are relative to `<base>`, so that whoever serves index.html decides the path. `npm run dev` passes API calls to
 * a collector, or to any zipkin-server: HOPSCOPE_API=http://127.0.0.1:9411.
 */
export default defineConfig(({ command }) => ({
  // Also when a test runner's NODE_ENV is inherited: what is built is what users get.
  ...(command === 'build' ? { define: { 'process.env.NODE_ENV': '"production"' } } : {}),
  base: command === 'build' ? './' : '/zipkin/',
  plugins: [react(), exportedPage(react)],
  // What few files need is loaded when one is opened.
  worker: { format: 'es' },
  build: {
    target: 'es2023',
    // Nothing inline: `default-src 'self'` forbids data: URIs and inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      '/zipkin/api': { target: process.env.HOPSCOPE_API ?? 'http://127.0.0.1:9411' },
      '/zipkin/config.json': { target: process.env.HOPSCOPE_API ?? 'http://127.0.0.1:9411' },
    },
  },
}))
