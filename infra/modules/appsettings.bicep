metadata description = '''
Every app setting, each with a name of integration/settings/ or of the Functions host. None holds a secret: connections are
addresses with the identity (all three settings are needed: without __credential the host looks for a connection string), the
rest are Key Vault references without a version, so that a rotated secret is taken up by itself.
'''

import { dataverseType, fabricType, pluginEventsType, systemsType, virtualTablesType } from 'types.bicep'

@description('Name of the app.')
param functionAppName string

@description('Name of the identity.')
param identityName string

@description('Name of the storage account.')
param storageAccountName string

@description('Name of the Application Insights component.')
param componentName string

@description('Name of the Service Bus namespace.')
param serviceBusName string

@description('Name of the Event Hubs namespace.')
param eventHubsName string

@description('Name of the Key Vault.')
param keyVaultName string

@description('Names of queues, hubs, groups and containers, by setting (topology.json).')
param topologySettings object

@description('What Dataverse posts to directly (topology.json, serviceEndpoints); null where there is nothing.')
param serviceEndpoint object?

@description('Name of the namespace that it is in.')
param serviceEndpointNamespace string

@description('What Finance & Operations posts business events to (topology.json, serviceEndpoints); null where there is nothing.')
param businessEvents object?

@description('Name of the namespace that it is in.')
param businessEventsNamespace string

@description('Name of the Event Grid topic that settled events are published to; empty where they are not.')
param eventGridTopicName string

@description('Whether operators\' events are published to that topic, too.')
param operatorEventsToEventGrid bool

@description('Name of the data collection rule that settled events are sent to; empty where they are not.')
param settledRuleName string

@description('Name of the data collection endpoint that takes them for the rule; empty where the rule has an endpoint of its own.')
param settledEndpointName string

@description('The custom endpoint of an Eventstream that settled events are sent to; null where they are not.')
param fabric fabricType?

@description('The Dataverse environment.')
param dataverse dataverseType

@description('The systems that the worker calls, by name.')
param systems systemsType

@description('What the EventNames of plug-in payloads stand for.')
param pluginEvents pluginEventsType

@description('Virtual tables; null where there are none.')
param virtualTables virtualTablesType?

@description('Name of the storage account of the ledger\'s copies.')
param copiesAccountName string

@description('People sign in with Entra (entra.bicep).')
param signIn bool

@description('Further settings by name, such as RETRY_MAX_ATTEMPTS. Never secrets.')
param moreSettings object

// Functions that block run in these threads: as many as host.json lets sessions be worked on at once.
var threadCount = '128'

func secret(vaultName string, secretName string) string =>
  '@Microsoft.KeyVault(VaultName=${vaultName};SecretName=${secretName})'

// How the secrets of a system are called: as a setting, and in the vault.
var secretNames = {
  apiKey: { setting: 'API_KEY', secret: 'api-key' }
  clientSecret: { setting: 'CLIENT_SECRET', secret: 'client-secret' }
  password: { setting: 'PASSWORD', secret: 'password' }
  relayKey: { setting: 'RELAY_KEY', secret: 'relay-key' }
  clientCertificate: { setting: 'CLIENT_CERTIFICATE', secret: 'client-certificate' }
}

var systemSecrets = flatten(map(
  items(systems),
  system =>
    map(system.value.secrets, key => {
      name: 'SYSTEMS_${toUpper(system.key)}_${secretNames[key].setting}'
      value: secret(keyVaultName, '${system.key}-${secretNames[key].secret}')
    })
))

var systemSettings = union(
  { SYSTEMS: string(mapValues(systems, system => system.settings)) },
  toObject(systemSecrets, it => it.name, it => it.value)
)

var identityClientId = identity.properties.clientId

var hostSettings = {
  AzureWebJobsStorage__accountName: storageAccountName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  ServiceBus__fullyQualifiedNamespace: '${serviceBusName}.servicebus.windows.net'
  ServiceBus__credential: 'managedidentity'
  ServiceBus__clientId: identityClientId
  EventHubs__fullyQualifiedNamespace: '${eventHubsName}.servicebus.windows.net'
  EventHubs__credential: 'managedidentity'
  EventHubs__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: component.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  // Exactly one place exports spans and metrics, and that is the app (docs/explanation/tracing.md): the switches of the
  // Functions worker, PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY and PYTHON_ENABLE_OPENTELEMETRY, stay out.
  OTEL_TRACES_EXPORTER: 'azure_monitor_opentelemetry_exporter'
  OTEL_METRICS_EXPORTER: 'azure_monitor_opentelemetry_exporter'
  OTEL_TRACES_SAMPLER_ARG: '0.1'
  OTEL_SERVICE_NAME: functionAppName
  PYTHON_THREADPOOL_THREAD_COUNT: threadCount
  // The host reads a body before the app can ask for a key: by default up to 100 MB. The app itself takes 512 KB.
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1048576'
}

var serviceEndpointSettings = serviceEndpoint == null
  ? {}
  : union(serviceEndpoint!.settings, {
      '${serviceEndpoint!.connection}__fullyQualifiedNamespace': '${serviceEndpointNamespace}.servicebus.windows.net'
      '${serviceEndpoint!.connection}__credential': 'managedidentity'
      '${serviceEndpoint!.connection}__clientId': identityClientId
    })

var businessEventsSettings = businessEvents == null
  ? {}
  : union(businessEvents!.settings, {
      '${businessEvents!.connection}__fullyQualifiedNamespace': '${businessEventsNamespace}.servicebus.windows.net'
      '${businessEvents!.connection}__credential': 'managedidentity'
      '${businessEvents!.connection}__clientId': identityClientId
    })

var intakeSettings = {
  INTAKE_KEYS: secret(keyVaultName, 'intake-keys')
  OPERATIONS_KEYS: secret(keyVaultName, 'operations-keys')
  PLUGIN_EVENTS: string(pluginEvents)
  LEDGER_COPIES_ACCOUNT: copiesAccountName
}

var virtualTablesSettings = virtualTables == null
  ? {}
  : {
      VIRTUAL_TABLE_KEYS: secret(keyVaultName, 'virtual-table-keys')
      VIRTUAL_TABLE_WRITERS: string(virtualTables!.?writers ?? [])
      VIRTUAL_TABLE_EVENTS: string(virtualTables!.?events ?? false)
    }

var dataverseSettings = union(
  {
    DATAVERSE_URL: dataverse.url
    DATAVERSE_ORGANISATION: dataverse.organisationId
    DATAVERSE_TENANT_ID: dataverse.?tenantId ?? tenant().tenantId
    DATAVERSE_CLIENT_ID: dataverse.?appRegistrationClientId ?? identityClientId
  },
  dataverse.?appRegistrationClientId == null
    ? {}
    : { DATAVERSE_CLIENT_SECRET: secret(keyVaultName, 'dataverse-client-secret') }
)

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource settledTopic 'Microsoft.EventGrid/topics@2025-02-15' existing = if (!empty(eventGridTopicName)) {
  name: eventGridTopicName
}

resource settledRule 'Microsoft.Insights/dataCollectionRules@2024-03-11' existing = if (!empty(settledRuleName)) {
  name: settledRuleName
}

resource settledEndpoint 'Microsoft.Insights/dataCollectionEndpoints@2024-03-11' existing = if (!empty(settledEndpointName)) {
  name: empty(settledEndpointName) ? 'none' : settledEndpointName
}

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: functionAppName
}

resource settings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'appsettings'
  properties: union(
    hostSettings,
    intakeSettings,
    virtualTablesSettings,
    dataverseSettings,
    systemSettings,
    topologySettings,
    serviceEndpointSettings,
    businessEventsSettings,
    empty(eventGridTopicName)
      ? {}
      : { EVENT_GRID_ENDPOINT: settledTopic!.properties.endpoint, EVENT_GRID_CLIENT_ID: identityClientId },
    empty(eventGridTopicName) || !operatorEventsToEventGrid
      ? {}
      : {
          OPERATOR_EVENTS_EVENT_GRID_ENDPOINT: settledTopic!.properties.endpoint
          OPERATOR_EVENTS_EVENT_GRID_CLIENT_ID: identityClientId
        },
    empty(settledRuleName)
      ? {}
      : {
          LOG_ANALYTICS_ENDPOINT: empty(settledEndpointName)
            ? settledRule!.properties.endpoints.logsIngestion
            : settledEndpoint!.properties.logsIngestion.endpoint
          LOG_ANALYTICS_RULE: settledRule!.properties.immutableId
          LOG_ANALYTICS_CLIENT_ID: identityClientId
        },
    fabric == null
      ? {}
      : {
          Fabric__fullyQualifiedNamespace: fabric!.namespace
          Fabric__credential: 'managedidentity'
          Fabric__clientId: identityClientId
          FABRIC_HUB_NAME: fabric!.hub
        },
    signIn ? { APP_SERVICE_AUTHENTICATION: 'true' } : {},
    moreSettings
  )
}
