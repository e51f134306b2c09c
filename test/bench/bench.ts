// What all figures need: a folder, certificates, and baselines that are bundled as our programs are.
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { createAuthority } from '../support/certificates.ts'
import type { Effort } from './effort.ts'

/** Shows progress on stderr. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

const BASELINES = [
  'bare-koa',
  'bare-https',
  'bare-echo',
  'empty-koa',
  'fake-apiserver',
  'webhook-over-memory',
] as const

/** Files that the measurements use. */
export interface Bench {
  readonly effort: Effort
  readonly folder: string
  /** A server's environment, with its certificate for `localhost`. */
  readonly tls: { readonly TLS_CERT_FILE: string; readonly TLS_KEY_FILE: string }
  /** The CA of that certificate, and the CA of the front proxy. */
  readonly servingCa: string
  readonly clientCa: string
  /** Files with the front proxy's certificate, and the same as PEM. */
  readonly client: { readonly cert: string; readonly key: string }
  readonly pair: { readonly cert: string; readonly key: string }
  readonly baselines: Readonly<Record<(typeof BASELINES)[number], string>>
}

/** Creates all files in a folder that the caller removes. */
export async function prepare(effort: Effort): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'flux-bench-'))
  const frontProxy = await createAuthority('front-proxy-ca')
  const authority = await createAuthority('serving')
  const serving = await authority.issue({ commonName: 'server', dns: ['localhost'] })
  const pair = await frontProxy.issue({
    commonName: 'front-proxy-client',
    extendedKeyUsage: ['clientAuth'],
  })
  const write = async (name: string, text: string) => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
  return {
    effort,
    folder,
    tls: {
      TLS_CERT_FILE: await write('tls.crt', serving.cert),
      TLS_KEY_FILE: await write('tls.key', serving.key),
    },
    servingCa: await write('ca.crt', authority.cert),
    clientCa: await write('front-proxy-ca.crt', frontProxy.cert),
    client: {
      cert: await write('client.crt', pair.cert),
      key: await write('client.key', pair.key),
    },
    pair,
    baselines: await bundleBaselines(folder),
  }
}

async function bundleBaselines(folder: string): Promise<Bench['baselines']> {
  await build({
    entryPoints: BASELINES.map((name) => join(import.meta.dirname, `${name}.ts`)),
    outdir: folder,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    logLevel: 'warning',
  })
  const file = (name: (typeof BASELINES)[number]) => join(folder, `${name}.cjs`)
  return {
    'bare-koa': file('bare-koa'),
    'bare-https': file('bare-https'),
    'bare-echo': file('bare-echo'),
    'empty-koa': file('empty-koa'),
    'fake-apiserver': file('fake-apiserver'),
    'webhook-over-memory': file('webhook-over-memory'),
  }
}
