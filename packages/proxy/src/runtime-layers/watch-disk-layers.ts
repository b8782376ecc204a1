import { type FSWatcher, lstatSync, watch } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { RuntimeLayer } from '@hopscope/envoy-config'

/**
 * Tells when something is moved to where a disk layer begins (a symbolic link, as a rule: the values change together), or into it when
 * it ends in a slash. What changes below is not looked at, as in Envoy. Each layer has a watch of its own; throws when there is nothing
 * to be watched.
 */
export function watchDiskLayers(layers: readonly RuntimeLayer[], onMoved: () => void): { close(): void } {
  const watchers: FSWatcher[] = []
  const close = (): void => {
    for (const watcher of watchers) watcher.close()
  }
  try {
    for (const { disk } of layers) if (disk !== undefined) watchers.push(watchRoot(disk.symlinkRoot, onMoved))
  } catch (error) {
    close()
    throw error
  }
  return { close }
}

function watchRoot(root: string, onMoved: () => void): FSWatcher {
  const name = root.endsWith('/') ? undefined : basename(root)
  const directory = name === undefined ? root : dirname(root)
  const identities = new Map<string, string | undefined>()
  if (name !== undefined) identities.set(name, identityOf(root))
  const watcher = open(root, directory, (event, changed) => {
    if (event !== 'rename' || changed === null || (name !== undefined && changed !== name)) return
    const identity = identityOf(join(directory, changed))
    if (identity === identities.get(changed)) return
    identities.set(changed, identity)
    if (identity !== undefined) onMoved()
  })
  // A directory that goes away has nothing more to tell.
  watcher.on('error', () => watcher.close())
  return watcher
}

function open(root: string, directory: string, hear: (event: string, changed: string | null) => void): FSWatcher {
  try {
    return watch(directory, { persistent: false }, hear)
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'No such file or directory' : String(error)
    throw new Error(`unable to add filesystem watch for file ${root}: ${reason}`)
  }
}

/** Which file it is, and since when by this name; undefined: there is none. */
function identityOf(path: string): string | undefined {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return stat && `${stat.dev} ${stat.ino} ${stat.ctimeNs}`
}
