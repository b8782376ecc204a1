import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const documents = filesBelow('.').filter(file => file.endsWith('.md'))

/** Without what is installed, built or kept aside; `.ci` and such have no documents. */
function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (!entry.isDirectory()) return [path]
    return entry.name.startsWith('.') || ['node_modules', 'dist'].includes(entry.name) ? [] : filesBelow(path)
  })
}

/** What links lead to, with `path#heading`; code shows links of others. */
function linksOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
    .replace(/^(```|~~~)[\s\S]*?^\1/gm, '')
    .replace(/`[^`\n]*`/g, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!)
}

/** As the pages that show them make them: `## When Envoy or Zipkin do it otherwise` → `when-envoy-or-zipkin-do-it-otherwise`. */
function anchorsOf(file: string): string[] {
  const headings = readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)
  return [...headings].map(([, heading]) => {
    return heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-')
  })
}

test('links of every document lead somewhere', () => {
  const broken: string[] = []
  let followed = 0
  for (const document of documents) {
    for (const link of linksOf(document)) {
      if (/^[a-z]+:/.test(link)) continue
      followed++
      const [path = '', anchor] = link.split('#')
      const file = path === '' ? join(root, document) : join(root, dirname(document), decodeURI(path))
      if (!existsSync(file)) broken.push(`${document}: ${link}: there is no ${relative(root, file)}`)
      else if (anchor !== undefined && !anchorsOf(file).includes(anchor))
        broken.push(`${document}: ${link}: ${relative(root, file)} has no heading for #${anchor}`)
    }
  }
  expect(broken).toEqual([])
  expect(documents.length).toBeGreaterThan(20)
  expect(followed).toBeGreaterThan(20)
})

test('every picture is shown by a document', () => {
  const shown = new Set(documents.flatMap(file => linksOf(file).map(link => join(dirname(file), link))))
  const pictures = filesBelow('docs/pictures')
  expect(pictures.filter(picture => !shown.has(picture))).toEqual([])
  expect(pictures.length).toBeGreaterThan(0)
})
