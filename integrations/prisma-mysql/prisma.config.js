import process from 'node:process'
import { defineConfig } from 'prisma/config'

// `prisma generate` downloads an engine that migrations need, and it does not. Any file does in its place.
process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= 'package.json'
process.env['CHECKPOINT_DISABLE'] ??= '1' // nor does it look for a newer version

export default defineConfig({ schema: 'schema.prisma' })
