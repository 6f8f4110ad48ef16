using 'main.bicep'

// Development: the smallest. Scales to zero.

param workload = 'dvint'
param environmentName = 'dev'
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
param logQuotaGb = 1
