using 'main.bicep'

// Development: the smallest. Scales to zero.

param workload = 'dvint'
param environmentName = 'dev'
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
param alertEmails = [readEnvironmentVariable('ALERT_EMAIL')]
param alertWebhooks = empty(readEnvironmentVariable('ALERT_WEBHOOK', '')) ? [] : [readEnvironmentVariable('ALERT_WEBHOOK', '')]
param logQuotaGb = 1
