// How an image starts its program: Node's flags and the environment, read from its Dockerfile, so that benchmark and soak measure
// what runs in a cluster.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface ImageSettings {
  readonly flags: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** @throws Error if the Dockerfile has no entry point with flags of Node */
export function readImageSettings(program: 'sidecar' | 'webhook'): ImageSettings {
  const path = join(import.meta.dirname, `../../Dockerfile.${program}`)
  // A backslash continues a line.
  const text = readFileSync(path, 'utf8').replace(/\\\n/g, '')
  const flags = [...(/^ENTRYPOINT (.*)$/m.exec(text)?.[1] ?? '').matchAll(/"(--[^"]+)"/g)]
  if (flags.length === 0) throw new Error(`Cannot find flags of Node in ${path}`)
  const settings = [...text.matchAll(/^ENV (.+)$/gm)].flatMap(([, line = '']) =>
    line.trim().split(/\s+/),
  )
  return {
    flags: flags.map(([, flag = '']) => flag),
    env: Object.fromEntries(settings.map((setting) => setting.split('=', 2))),
  }
}
