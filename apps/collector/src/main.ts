// Compiled code is kept between starts; what is imported after this line profits.
import { enableCompileCache } from 'node:module'

enableCompileCache()
const [command, ...rest] = process.argv.slice(2)
if (command === 'store') {
  const { storeCommand } = await import('./store-command.ts')
  process.exitCode = await storeCommand(rest, process.env)
} else {
  const { start } = await import('./start.ts')
  await start(process.argv.slice(2), process.env)
}
