//! What seldom happens to secrets: somebody ends them by hand, or dies, or comes too late.

use serde_json::{Value, json};

use super::{
    operator::{Function, until},
    troubles::Trouble,
};

impl Trouble<'_> {
    /// All of it that Secrets Manager as a vault knows.
    pub(super) async fn go_through_with_secrets(&self) {
        self.secrets_are_ended_by_hand().await;
        self.a_journal_is_seen_through_by_others().await;
        self.an_instance_is_deleted_while_it_is_connected().await;
        self.a_deletion_is_seen_through_by_others().await;
        self.a_version_is_there_already().await;
        self.a_builder_changes_secrets().await;
    }

    /// Whoever needs a secret that is going to be deleted restores it.
    async fn secrets_are_ended_by_hand(&self) {
        let way = self.way().await;
        let of_method = self.secret_of(&way);
        self.operator.end_secret(&of_method).await;
        let (one, other) = (self.connected(&way).await, self.connected(&way).await);
        assert!(!self.operator.is_ended(&of_method).await);

        self.rejected(&one).await;
        self.both_are_ended(&of_method, &one).await;
        self.refreshed(&way, &one).await;
        self.neither_is_ended(&of_method, &one).await;

        self.rejected(&other).await;
        self.both_are_ended(&of_method, &other).await;
        self.refreshed_for_all(&way, &other).await;
        self.neither_is_ended(&of_method, &other).await;

        self.operator.end_secret(&one).await;
        self.reconnected(&one).await;
        assert!(!self.operator.is_ended(&one).await);
    }

    async fn both_are_ended(&self, one: &str, other: &str) {
        self.operator.end_secret(one).await;
        self.operator.end_secret(other).await;
    }

    async fn neither_is_ended(&self, one: &str, other: &str) {
        for name in [one, other] {
            assert!(!self.operator.is_ended(name).await, "{name}");
        }
    }

    async fn reconnected(&self, instance: &str) {
        let body = json!({ "instance": instance });
        let opened = self.api.post("/v1/connect-sessions", &body).await;
        self.consent(&opened.created("connect_url")).await;
    }

    /// Secrets Manager is down when somebody connects: whoever refreshes next makes the secret.
    async fn a_journal_is_seen_through_by_others(&self) {
        let way = self.way().await;
        let down = [("secretsmanager:CreateSecret", "refuse")];
        self.operator.fail(Function::Callback, &down).await;
        let (one, other) = (self.connected(&way).await, self.connected(&way).await);
        self.operator.mend(Function::Callback).await;
        for instance in [&one, &other] {
            assert!(self.operator.is_ended(instance).await, "it is there");
        }
        self.rejected(&one).await;
        self.refreshed(&way, &one).await;
        self.rejected(&other).await;
        self.refreshed_for_all(&way, &other).await;
        self.neither_is_ended(&one, &other).await;
    }

    /// The secret that is made too late is not left behind.
    async fn an_instance_is_deleted_while_it_is_connected(&self) {
        let way = self.way().await;
        let (instance, url) = self.session(&way).await;
        let slow = [("secretsmanager:CreateSecret", "hold")];
        self.operator.fail(Function::Callback, &slow).await;
        let meanwhile = async {
            self.operator.held(Function::Callback).await;
            let path = format!("/v1/instances/{instance}");
            let _ = self.api.delete(&path).await.ok();
            self.operator.mend(Function::Callback).await;
        };
        tokio::join!(self.consent(&url), meanwhile);
        assert!(self.operator.is_ended(&instance).await);
    }

    /// Secrets Manager is down when somebody deletes: the refresher ends the secret.
    async fn a_deletion_is_seen_through_by_others(&self) {
        let way = self.way().await;
        let instance = self.connected(&way).await;
        let down = [("secretsmanager:DeleteSecret", "refuse")];
        self.operator.fail(Function::Credentials, &down).await;
        let path = format!("/v1/instances/{instance}");
        let _ = self.api.delete(&path).await.ok();
        self.operator.mend(Function::Credentials).await;
        assert!(!self.operator.is_ended(&instance).await);
        until("the secret is ended", async || {
            self.operator.attend(&[&instance]).await;
            self.operator.is_ended(&instance).await
        })
        .await;
    }

    /// The emulator puts any value over a version; AWS says that it is there, and one has to look whose it is.
    async fn a_version_is_there_already(&self) {
        let way = self.way().await;
        let instance = self.connected(&way).await;
        let there = [("secretsmanager:PutSecretValue", "ResourceExistsException")];
        self.operator.fail(Function::Callback, &there).await;
        self.reconnected(&instance).await;
        self.operator.mend(Function::Callback).await;
        self.rejected(&instance).await;
        self.refreshed(&way, &instance).await;
    }

    /// One of two secrets is changed; all are taken away, and one is given.
    async fn a_builder_changes_secrets(&self) {
        let mut whole = Value::Null;
        let way = self
            .way_with(|body| {
                let further = json!([{ "key": "further", "type": "secret" }]);
                body["definition"]["variables"] = further;
                body["values"]["further"] = json!("one more");
                whole = body.clone();
            })
            .await;
        let secret = whole["values"]["client_secret"].clone();
        for values in [
            json!({ "further": "another" }),
            json!({ "further": null, "client_secret": null }),
            json!({ "further": "a third", "client_secret": secret }),
        ] {
            whole["values"] = values;
            let _ = self.api.put(&self.path(&way), "*", &whole).await.ok();
            let has_none = whole["values"]["further"].is_null();
            assert_eq!(
                self.operator.is_ended(&self.secret_of(&way)).await,
                has_none
            );
        }
        let instance = self.connected(&way).await;
        self.rejected(&instance).await;
        self.refreshed(&way, &instance).await;
    }
}
