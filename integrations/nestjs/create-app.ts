import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import ifMatch from 'fastify-if-match'
import type { StorageAdapter } from 'fastify-if-match/storage'
import { IfMatchFilter } from './if-match.filter.js'
import { OrdersController } from './orders.controller.js'

@Module({ controllers: [OrdersController] })
class AppModule {}

export async function createApp (storage: StorageAdapter): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter())
  await app.register(ifMatch, { storage })
  app.useGlobalFilters(new IfMatchFilter(app.getHttpAdapter()))
  return app // await app.listen(3000)
}
