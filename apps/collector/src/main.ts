// Compiled code is kept between starts; what is imported after this line profits.
import { enableCompileCache } from 'node:module'

enableCompileCache()
const { start } = await import('./start.ts')
await start(process.argv.slice(2), process.env)
