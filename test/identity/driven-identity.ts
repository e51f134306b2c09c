// An identity with its token, an authority that is a function, and a clock that only tests move.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { AuthorityRequest, Grant } from '#identity/authority-client.ts'
import { Identity, type IdentityCredentials } from '#identity/identity.ts'
import { createCaKeys, HOUR_MS, issueLeaf } from '../../webhook/authority/certificate-authority.ts'
import { parseCertificateRequest } from '../../webhook/identities/certificate-request.ts'
import { createAuthority } from '../support/certificates.ts'
import { NAMES, TOKEN } from '../support/lead-broker.ts'
import { memoryLog } from '../support/memory-log.ts'
import { Clock } from '../webhook/authority/replicas.ts'

export const ca = await createCaKeys(Date.now() - HOUR_MS)
export const frontProxy = await createAuthority('front-proxy-ca')

/** An identity whose `tick` the tests call. `authority.answer` decides what the authority answers. */
export async function setup(
  t: TestContext,
  options: { readonly random?: number; readonly onCredentials?: () => void } = {},
) {
  const { random = 0, onCredentials } = options
  const folder = await mkdtemp(join(tmpdir(), 'identity-'))
  t.after(() => rm(folder, { recursive: true }))
  const tokenFile = join(folder, 'token')
  await writeFile(tokenFile, `${TOKEN}\n`)
  const clock = new Clock()
  const { log, lines } = memoryLog()
  const authority = {
    asked: [] as AuthorityRequest[],
    signer: ca,
    clientCa: frontProxy.cert,
    allowedNames: ['front-proxy-client'],
    lifeMs: 24 * HOUR_MS,
    /** How much its clock is ahead. */
    aheadMs: 0,
    answer: async (request: AuthorityRequest): Promise<Grant> => certify(request),
  }
  const certify = async ({ csr }: AuthorityRequest): Promise<Grant> => {
    const { signer, clientCa, allowedNames, lifeMs, aheadMs } = authority
    const trust = { ca: signer.certificate, clientCa, allowedNames }
    if (csr === undefined) return { certificate: undefined, ...trust }
    const { publicKey, dnsNames: names } = await parseCertificateRequest(csr)
    assert.ok(publicKey)
    return {
      certificate: await issueLeaf(signer, { publicKey, names, lifeMs }, clock.ms + aheadMs),
      ...trust,
    }
  }
  const used: (IdentityCredentials | undefined)[] = []
  const identity = new Identity({
    url: 'https://webhook.svc',
    ca: 'the CA that the pod was given',
    tokenFile,
    names: NAMES,
    log,
    onCredentials: (credentials) => {
      onCredentials?.()
      used.push(credentials)
    },
    now: clock.now,
    random: () => random,
    ask: (request) => {
      authority.asked.push(request)
      return authority.answer(request)
    },
  })
  t.after(() => identity.close())
  return {
    identity,
    authority,
    clock,
    lines,
    used,
    tokenFile,
    /** Moves the clock, and ticks. */
    after: (ms: number) => {
      clock.ms += ms
      return identity.tick()
    },
    messages: () => lines.map(({ level, msg }) => `${level}: ${msg}`),
  }
}
