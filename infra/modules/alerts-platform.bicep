metadata description = '''
What Azure says of itself and of the vault: resources that are unavailable, incidents of the services in this region, and secrets
whose date comes near (run.py secrets sets it).
'''

import { tagsType } from 'types.bicep'

@description('Part of every name.')
param base string

@description('Resource id of the vault.')
param keyVaultId string

@description('Resource id of the action group.')
param actionGroupId string

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

var services = ['Functions', 'Service Bus', 'Event Hubs', 'Storage', 'Key Vault']

resource resourceHealth 'Microsoft.Insights/activityLogAlerts@2026-01-01' = {
  name: 'alert-${base}-resource-health'
  location: 'global'
  tags: tags
  properties: {
    description: 'A resource of this environment is unavailable or degraded.'
    enabled: true
    scopes: [resourceGroup().id]
    condition: {
      allOf: [
        {
          field: 'category'
          equals: 'ResourceHealth'
        }
        {
          anyOf: [
            {
              field: 'properties.currentHealthStatus'
              equals: 'Unavailable'
            }
            {
              field: 'properties.currentHealthStatus'
              equals: 'Degraded'
            }
          ]
        }
      ]
    }
    actions: {
      actionGroups: [
        {
          actionGroupId: actionGroupId
        }
      ]
    }
  }
}

resource serviceHealth 'Microsoft.Insights/activityLogAlerts@2026-01-01' = {
  name: 'alert-${base}-service-health'
  location: 'global'
  tags: tags
  properties: {
    description: 'Azure has an incident in a service that this environment uses, in any of its regions.'
    enabled: true
    scopes: [subscription().id]
    condition: {
      allOf: [
        {
          field: 'category'
          equals: 'ServiceHealth'
        }
        {
          field: 'properties.incidentType'
          equals: 'Incident'
        }
        {
          field: 'properties.impactedServices[*].ServiceName'
          containsAny: services
        }
      ]
    }
    actions: {
      actionGroups: [
        {
          actionGroupId: actionGroupId
        }
      ]
    }
  }
}

resource vaultTopic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'evgt-${base}-vault'
  location: location
  tags: tags
  properties: {
    source: keyVaultId
    topicType: 'Microsoft.KeyVault.vaults'
  }

  // Azure sends the first of these events 30 days before the date.
  resource secretsExpire 'eventSubscriptions' = {
    name: 'secrets-expire'
    properties: {
      eventDeliverySchema: 'CloudEventSchemaV1_0'
      filter: {
        includedEventTypes: ['Microsoft.KeyVault.SecretNearExpiry', 'Microsoft.KeyVault.SecretExpired']
      }
      destination: {
        endpointType: 'MonitorAlert'
        properties: {
          severity: 'Sev2'
          description: 'A secret is due: run.py secrets list says which one, docs/how-to/deploy.md how it is replaced.'
          actionGroups: [actionGroupId]
        }
      }
    }
  }
}
