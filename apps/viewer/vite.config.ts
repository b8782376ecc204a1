import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'
import { exportedPage } from './exported-page.config.ts'

/** What every page needs; lists and forms are in pages of their own. */
const SHARED = /\/node_modules\/react\/|\/viewer\/src\/shared\/(?!TraceList|Trouble|TimeRange|CopyCommand|use-visible)/

/**
 * Assets are relative to `<base>`, so that whoever serves index.html decides the path. `npm run dev` passes API calls to
 * a collector, or to any zipkin-server: HOPSCOPE_API=http://127.0.0.1:9411.
 */
export default defineConfig(({ command }) => ({
  // Also when a test runner's NODE_ENV is inherited: what is built is what users get.
  ...(command === 'build' ? { define: { 'process.env.NODE_ENV': '"production"' } } : {}),
  base: command === 'build' ? './' : '/zipkin/',
  plugins: [react(), exportedPage(react), preloadMount()],
  // What few files need is loaded when one is opened.
  worker: { format: 'es' },
  build: {
    target: 'es2023',
    // Nothing inline: `default-src 'self'` forbids data: URIs and inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // What pages share is one file, not ten small ones.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'shared', priority: 2, test: SHARED },
            { name: 'react-dom', priority: 1, test: /\/node_modules\/(react-dom|scheduler)\// },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      '/zipkin/api': { target: process.env.HOPSCOPE_API ?? 'http://127.0.0.1:9411' },
      '/zipkin/config.json': { target: process.env.HOPSCOPE_API ?? 'http://127.0.0.1:9411' },
    },
  },
}))

/** The first script is small, so that the trace is asked for early; what it will import is fetched beside it. */
function preloadMount(): Plugin {
  return {
    name: 'preload-mount',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle }) {
        const chunks = Object.values(bundle ?? {}).filter(file => file.type === 'chunk')
        const mount = chunks.find(({ facadeModuleId }) => facadeModuleId?.endsWith('/src/mount.tsx'))
        if (!mount) throw new Error('index.html: no chunk of src/mount.tsx')
        return [mount.fileName, ...mount.imports]
          .filter(file => !html.includes(file))
          .map(file => ({
            tag: 'link',
            attrs: { rel: 'modulepreload', crossorigin: true, href: `./${file}` },
            injectTo: 'head' as const,
          }))
      },
    },
  }
}
