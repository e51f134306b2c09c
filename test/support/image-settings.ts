// How a program starts in a cluster: Node's flags and the environment, read from its Dockerfile, so that benchmark and soak measure
// what runs there. The gateway's flags are in its Deployment: its image starts the webhook.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { workloadIn } from './deployment.ts'

export interface ImageSettings {
  readonly flags: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** @throws Error if there is no entry point with flags of Node */
export function readImageSettings(program: 'sidecar' | 'webhook' | 'gateway'): ImageSettings {
  if (program === 'gateway') return { ...readImageSettings('webhook'), flags: gatewayFlags() }
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

function gatewayFlags(): readonly string[] {
  const [container] = workloadIn('gateway').deployment.spec.template.spec.containers
  const { command } = v.parse(v.object({ command: v.array(v.string()) }), container)
  return command.filter((word) => word.startsWith('--'))
}
