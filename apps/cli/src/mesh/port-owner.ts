import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** `nginx (pid 4711)` for the process that listens on a TCP port of this machine, where Linux lets us see it. */
export function portOwner(port: number): string | undefined {
  try {
    const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap(table => listeningInodes(table, port)))
    if (inodes.size === 0) return undefined
    for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
      if (socketsOf(pid).some(inode => inodes.has(inode))) {
        return `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (pid ${pid})`
      }
    }
  } catch {
    // not Linux, or not ours to see
  }
  return undefined
}

/** Inodes of sockets in state 0A (listening) on the port. Columns as in proc_net_tcp. */
function listeningInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return readFileSync(table, 'utf8')
    .split('\n')
    .slice(1)
    .map(line => line.trim().split(/\s+/))
    .filter(columns => columns[1]?.endsWith(suffix) && columns[3] === '0A')
    .map(columns => columns[9]!)
}

function socketsOf(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`)
      .map(fd => socketInode(`/proc/${pid}/fd/${fd}`))
      .filter(inode => inode !== undefined)
  } catch {
    return []
  }
}

function socketInode(link: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(link))?.[1]
  } catch {
    // closed meanwhile
    return undefined
  }
}
