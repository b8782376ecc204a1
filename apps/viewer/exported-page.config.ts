import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'vite'

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url))

/**
 * Builds `exported.html`: the trace page as one file, with its script and its styles inside and a place for a trace. The
 * viewer fetches it when somebody exports a trace as a page.
 */
export function exportedPage(plugins: () => Plugin[]): Plugin {
  return {
    name: 'exported-page',
    apply: 'build',
    enforce: 'post',
    async generateBundle(_, bundle) {
      const built = await build({
        configFile: false,
        logLevel: 'error',
        root: path('.'),
        publicDir: false,
        define: { 'process.env.NODE_ENV': '"production"' },
        plugins: plugins(),
        resolve: { alias: [{ find: /^.*\/connect-worker\.ts$/, replacement: path('src/trace/connect-here.ts') }] },
        build: {
          write: false,
          target: 'es2023',
          rollupOptions: {
            input: [path('src/exported/main.tsx')],
            output: { format: 'iife', codeSplitting: false },
          },
        },
      })
      const { output } = Array.isArray(built) ? built[0]! : (built as Exclude<typeof built, { close: unknown }>)
      const script = output.find(file => file.type === 'chunk' && file.isEntry)
      const styles = Object.values(bundle).find(({ fileName }) => /\bindex-[\w-]+\.css$/.test(fileName))
      if (script?.type !== 'chunk' || styles?.type !== 'asset') throw new Error('exported page: no script or no styles')
      // Those that components import themselves come with the script.
      const own = output.filter(file => file.type === 'asset' && file.fileName.endsWith('.css'))
      this.emitFile({
        type: 'asset',
        fileName: 'exported.html',
        source: page(script.code, [styles, ...own].map(file => String((file as { source: unknown }).source)).join('')),
      })
    },
  }
}

function page(script: string, styles: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta http-equiv="content-security-policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>Hopscope</title>
    <style>${styles.replaceAll('</style', '<\\/style')}</style>
  </head>
  <body>
    <div id="root"></div>
    <script type="application/json" id="trace"></script>
    <script>${script.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--')}</script>
  </body>
</html>
`
}
