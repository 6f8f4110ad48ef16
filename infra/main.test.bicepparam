using 'main.bicep'

// Acceptance: public addresses, at the smallest size that is always ready. main.staging.bicepparam has what is special in production.

param workload = 'dvint'
param environmentName = 'test'
param tags = {
  owner: readEnvironmentVariable('TAG_OWNER')
  costCentre: readEnvironmentVariable('TAG_COST_CENTRE')
  dataClass: 'confidential'
}
param dataverse = {
  url: readEnvironmentVariable('DATAVERSE_URL')
  organisationId: readEnvironmentVariable('DATAVERSE_ORGANISATION')
}
param systems = {
  erp: {
    settings: { adapter: 'rest-erp', url: readEnvironmentVariable('ERP_URL') }
    secrets: ['apiKey']
  }
  credit: {
    settings: { adapter: 'rest-scoring', url: readEnvironmentVariable('CREDIT_URL') }
    secrets: ['apiKey']
  }
}
param scale = {
  instanceMemoryMB: 2048
  maximumInstanceCount: 6
  httpPerInstanceConcurrency: 64
  alwaysReady: [
    { name: 'function:work', instanceCount: 1 }
  ]
}
param alertEmails = [readEnvironmentVariable('ALERT_EMAIL')]
param alertWebhooks = empty(readEnvironmentVariable('ALERT_WEBHOOK', '')) ? [] : [readEnvironmentVariable('ALERT_WEBHOOK', '')]
